// The chat page: sends what is typed with all that was said before, shows the answer as it comes.
import { apiKey, requestSettings, setUpSettings, systemPrompt } from "/settings.js";
import { complete, servedModel } from "/stream.js";
import { AssistantTurn, userTurn } from "/turn.js";

const element = (id) => document.getElementById(id);
const [input, messages, scroller] = ["input", "messages", "scroller"].map(element);

/** {role, content}: the conversation as the server is told it. */
let history = [];
/** Aborts the answer that is being made; null while there is none. */
let running = null;

const say = (text) => (element("status").textContent = text);

/** Keeps the end in view, unless the reader has scrolled away from it. */
let followsEnd = true;
scroller.addEventListener("scroll", () => {
  followsEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
});
const followEnd = () => followsEnd && scroller.scrollTo({ top: scroller.scrollHeight });
messages.addEventListener("drawn", followEnd);

function showRunning(controller) {
  running = controller;
  element("send").hidden = controller !== null;
  element("stop").hidden = controller === null;
  if (!controller) showSendable();
}

const showSendable = () => (element("send").disabled = input.value.trim() === "");

/** Counts an answer's tokens and how fast they came. */
class Meter {
  #first = 0;
  #last = 0;
  #events = 0;
  usage = null;

  count() {
    this.#last = performance.now();
    if (this.#events++ === 0) this.#first = this.#last;
  }

  note(ending) {
    const tokens = this.usage?.completion_tokens ?? this.#events;
    const seconds = (this.#last - this.#first) / 1000;
    const speed = seconds > 0 && tokens > 1 ? `${((tokens - 1) / seconds).toFixed(1)} tokens/s` : "";
    return [`${tokens} ${tokens === 1 ? "token" : "tokens"}`, speed, ending].filter(Boolean).join(" · ");
  }
}

async function receive(conversation, turn, meter, controller) {
  const system = systemPrompt();
  const said = system ? [{ role: "system", content: system }, ...conversation] : conversation;
  const request = { model: "default", messages: said, ...requestSettings() };
  let ending = "";
  for await (const event of complete(request, { key: apiKey(), signal: controller.signal })) {
    if (event.text || event.reasoning) meter.count();
    if (event.text) turn.add(event.text);
    if (event.reasoning) turn.addReasoning(event.reasoning);
    if (event.usage) meter.usage = event.usage;
    if (event.reason === "length") ending = "cut at the longest answer";
  }
  return ending;
}

/** Has the history answered. */
async function answer() {
  const conversation = history; // a new chat may begin meanwhile
  const turn = new AssistantTurn();
  const meter = new Meter();
  const controller = new AbortController();
  messages.append(turn.element);
  showRunning(controller);
  say("The model is answering.");
  followsEnd = true;
  followEnd();
  const keep = () => turn.text && conversation.push({ role: "assistant", content: turn.text });
  try {
    const ending = await receive(conversation, turn, meter, controller);
    keep();
    turn.end(meter.note(ending));
    say(turn.text);
  } catch (error) {
    if (controller.signal.aborted) {
      keep();
      turn.end(meter.note("stopped"));
      say("Stopped.");
    } else {
      const unreachable = error instanceof TypeError; // what fetch throws when nobody answers
      turn.fail(unreachable ? "The server cannot be reached." : error.message, () => {
        turn.element.remove();
        if (!running) answer();
      });
      say("");
    }
  } finally {
    if (running === controller) showRunning(null);
    followEnd();
  }
}

function send() {
  const text = input.value.trim();
  if (!text || running) return;
  element("welcome").hidden = true;
  history.push({ role: "user", content: text });
  messages.append(userTurn(text));
  input.value = "";
  answer();
}

function stop() {
  running?.abort();
}

function newChat() {
  stop();
  showRunning(null);
  history = [];
  messages.replaceChildren();
  element("welcome").hidden = false;
  say("New chat.");
  input.focus();
}

async function showModel() {
  const model = await servedModel(apiKey()).catch(() => "");
  element("model").textContent = model;
  element("model").title = model;
}

element("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
element("stop").addEventListener("click", () => {
  stop();
  input.focus();
});
element("new-chat").addEventListener("click", newChat);
input.addEventListener("input", showSendable);
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !element("settings").open) stop();
});
element("settings").addEventListener("close", showModel);

setUpSettings();
showSendable();
showModel();
input.focus();
