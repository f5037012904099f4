// Markdown of the model's as safe elements. Model output is untrusted: raw HTML in it is shown as text, and what
// marked makes goes through DOMPurify. Nothing it refers to is loaded: there are no images.
import DOMPurify from "/dompurify.js";
import { Marked } from "/marked.js";

import { copyButton } from "/copy.js";

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text) => text.replace(/[&<>"]/g, (c) => escapes[c]);

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    image: ({ text, href }) => escapeHtml(`![${text}](${href})`),
  },
});

const allowed = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "input", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["href", "class", "start", "type", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true,
};

function dressCode(pre) {
  const code = pre.querySelector("code");
  const language = /\blanguage-([\w+#.-]+)/.exec(code?.className ?? "")?.[1] ?? "";
  const block = document.createElement("div");
  block.className = "code";
  const bar = document.createElement("div");
  bar.className = "code-bar";
  const name = document.createElement("span");
  name.textContent = language;
  bar.append(name, copyButton("Copy code", () => code?.textContent ?? pre.textContent));
  pre.replaceWith(block);
  pre.tabIndex = 0; // so that long lines can be scrolled to by keyboard
  block.append(bar, pre);
}

/** A fragment that shows the text. */
export function render(text) {
  const fragment = DOMPurify.sanitize(marked.parse(text), allowed);
  for (const link of fragment.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const box of fragment.querySelectorAll("input")) {
    if (box.type === "checkbox") box.disabled = true;
    else box.remove();
  }
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre);
  return fragment;
}
