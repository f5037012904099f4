// What one message looks like.
import { copyButton } from "/copy.js";
import { render } from "/markdown.js";

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

export function userTurn(text) {
  const turn = make("article", "turn user");
  turn.setAttribute("aria-label", "You");
  turn.append(make("div", "text", text));
  return turn;
}

/** An answer that grows. Drawing takes time in proportion to the text, so a longer text is drawn less often. */
export class AssistantTurn {
  text = "";
  #reasoning = "";
  #drawing = 0;
  #thinking = null;

  constructor() {
    this.element = make("article", "turn assistant");
    this.element.setAttribute("aria-label", "Answer");
    this.element.setAttribute("aria-busy", "true");
    this.body = make("div", "text");
    this.facts = make("div", "facts");
    this.element.append(this.body, this.facts);
  }

  add(text) {
    this.text += text;
    this.#drawSoon();
  }

  addReasoning(text) {
    this.#reasoning += text;
    if (!this.#thinking) {
      this.#thinking = make("details", "thinking");
      this.#thinking.append(make("summary", "", "Thinking"), make("p", ""));
      this.element.prepend(this.#thinking);
    }
    this.#thinking.lastChild.textContent = this.#reasoning;
  }

  /** `note`: tokens, speed and the like. */
  end(note) {
    clearTimeout(this.#drawing);
    this.#draw();
    this.element.classList.add("ended");
    this.element.setAttribute("aria-busy", "false");
    this.facts.replaceChildren(make("span", "numbers", note));
    if (this.text) this.facts.prepend(copyButton("Copy answer", () => this.text));
  }

  fail(message, retry) {
    this.end("");
    const failure = make("p", "failure", message);
    failure.setAttribute("role", "alert");
    const button = make("button", "", "Try again");
    button.type = "button";
    button.addEventListener("click", retry);
    failure.append(button);
    this.element.append(failure);
  }

  #drawSoon() {
    if (this.#drawing) return;
    const pause = 30 + this.text.length / 100; // milliseconds
    this.#drawing = setTimeout(() => this.#draw(), pause);
  }

  #draw() {
    this.#drawing = 0;
    this.body.replaceChildren(render(this.text));
    this.element.dispatchEvent(new Event("drawn", { bubbles: true }));
  }
}
