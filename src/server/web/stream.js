// One chat completion as a stream of events (OpenAI's chat completions over server-sent events).

/** What the server refused or failed with, in its own words. */
export class ServerError extends Error {}

async function messageOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text.slice(0, 500) || `The server answered ${response.status}.`;
  }
}

/** The data of each event in a stream of bytes; comments and other fields are passed over. */
async function* eventData(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) yield line.slice(5).trim();
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Asks for an answer and yields {text}, {reasoning}, {usage} and {reason} as they come. Aborting `signal` closes the
 * connection, upon which the server stops generating.
 */
export async function* complete(request, { key, signal }) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
  const response = await fetch("/v1/chat/completions", { method: "POST", headers, body, signal });
  if (!response.ok) throw new ServerError(await messageOf(response));
  for await (const data of eventData(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ServerError(chunk.error.message);
    if (chunk.usage) yield { usage: chunk.usage };
    const choice = chunk.choices?.[0];
    if (!choice) continue;
    if (choice.delta?.reasoning_content) yield { reasoning: choice.delta.reasoning_content };
    if (choice.delta?.content) yield { text: choice.delta.content };
    if (choice.finish_reason) yield { reason: choice.finish_reason };
  }
  throw new ServerError("The answer ended early: the server closed the connection.");
}

/** The id of the first served model, or "". */
export async function servedModel(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const response = await fetch("/v1/models", { headers });
  if (!response.ok) return "";
  return (await response.json()).data?.[0]?.id ?? "";
}
