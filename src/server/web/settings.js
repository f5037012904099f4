// The settings dialog; what it says is kept in this browser, but for the key, which lives as long as the tab.

const fields = { system: "", temperature: "0.7", "max-tokens": "" };
const element = (id) => document.getElementById(id);

function load(storage, id, fallback) {
  try {
    return storage.getItem(`baleen.${id}`) ?? fallback;
  } catch {
    return fallback; // storage is switched off
  }
}

function store(storage, id, value) {
  try {
    storage.setItem(`baleen.${id}`, value);
  } catch {
    // storage is switched off: the settings last as long as the page
  }
}

function connect(storage, id, fallback) {
  element(id).value = load(storage, id, fallback);
  element(id).addEventListener("change", () => store(storage, id, element(id).value));
}

export function setUpSettings() {
  for (const [id, fallback] of Object.entries(fields)) connect(localStorage, id, fallback);
  connect(sessionStorage, "key", "");
  element("open-settings").addEventListener("click", () => element("settings").showModal());
  element("settings").addEventListener("click", (event) => {
    if (event.target === element("settings")) element("settings").close(); // outside of the form
  });
}

function number(id) {
  const field = element(id);
  return field.value === "" || !field.checkValidity() ? undefined : Number(field.value);
}

export const systemPrompt = () => element("system").value.trim();
export const apiKey = () => element("key").value.trim();

/** The fields of a request that the settings decide; what is not set is left to the server. */
export function requestSettings() {
  return { temperature: number("temperature"), max_tokens: number("max-tokens") };
}
