"use strict";

// What all pages share. Everything that comes from the server is put in as text, never as HTML.
const ctxfy = (() => {
  const root = new URL(document.documentElement.dataset.root || "./", document.baseURI);

  // The server takes an unsafe method from a browser session only with this header: a page of
  // another origin cannot read the cookie.
  function csrfToken() {
    const found = document.cookie.split("; ").find((each) => each.startsWith("ctxfy_csrf="));
    return found === undefined ? null : found.slice("ctxfy_csrf=".length);
  }

  // Asks the server; gives {ok, status, body} where body is null if there is none, or a problem.
  async function ask(method, path, body) {
    const headers = { Accept: "application/json" };
    const token = method === "GET" ? null : csrfToken();
    if (token !== null) {
      headers["X-CSRF-Token"] = token;
    }
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    try {
      const answer = await fetch(new URL(path, root), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const isJson = (answer.headers.get("Content-Type") || "").includes("json");
      return { ok: answer.ok, status: answer.status, body: isJson ? await answer.json() : null };
    } catch {
      return { ok: false, status: 0, body: { detail: "The server cannot be reached." } };
    }
  }

  // Makes an element: attributes by name, then what is in it; a text is text.
  function make(tag, attributes = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }

  // A moment of the server's, in UTC and to the second.
  function moment(text, otherwise) {
    return text === null
      ? make("span", { class: "faint" }, otherwise)
      : make("time", { datetime: text }, `${text.slice(0, 10)} ${text.slice(11, 19)}`);
  }

  async function copy(text) {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return;
    }
    // Without TLS a browser has the clipboard only by this older way.
    const field = make("textarea", { "aria-hidden": "true" }, text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  function copyButton(text, label = "Copy") {
    const button = make("button", { type: "button", class: "copy" }, label);
    whenPressed(button, () => text);
    return button;
  }

  function whenPressed(button, textOf) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await copy(textOf());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }

  // Shows a problem (RFC 9457) above a form, and each mistake beside its field. `fieldOf` finds the
  // element of a field's name.
  function showProblem(form, answer, fieldOf) {
    clearProblem(form);
    const rest = [];
    let first = null;
    for (const mistake of answer.body?.errors || []) {
      const field = fieldOf(mistake.field || "");
      const place = field && document.getElementById(`${field.id}-error`);
      if (!place) {
        rest.push(mistake.message);
        continue;
      }
      field.setAttribute("aria-invalid", "true");
      place.textContent = place.hidden ? mistake.message : `${place.textContent} ${mistake.message}`;
      place.hidden = false;
      first = first || field;
    }
    const box = form.querySelector(".problem");
    if (first === null || rest.length > 0) {
      box.replaceChildren(...told(answer, rest.join(" ")));
      box.hidden = false;
    }
    (first || box).focus();
  }

  // What is to be said of a refusal, with the way back for whose session is over.
  function told(answer, sentence = "") {
    const text = sentence || answer.body?.detail || "The server gave no answer that can be read.";
    if (answer.status !== 401) {
      return [text];
    }
    const login = new URL("login", root);
    login.searchParams.set("next", `/${location.href.slice(root.href.length)}`);
    return [text, " ", make("a", { href: login.href }, "Log in again")];
  }

  function clearProblem(form) {
    for (const place of form.querySelectorAll(".error, .problem")) {
      place.hidden = true;
      place.textContent = "";
    }
    for (const field of form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
    }
  }

  // The server knows its address as the request named it; a proxy may have changed that.
  function mendAddresses() {
    const told = document.documentElement.dataset.address;
    const here = root.href.replace(/\/$/, "");
    if (!told || told === here) {
      return;
    }
    for (const place of document.querySelectorAll(".has-address")) {
      const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        walker.currentNode.data = walker.currentNode.data.replaceAll(told, here);
      }
    }
  }

  // A browser that goes back may show a page as it was left, also after logging out.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && csrfToken() === null) {
      location.reload();
    }
  });
  mendAddresses();
  for (const button of document.querySelectorAll("[data-copy]")) {
    whenPressed(button, () => button.parentElement.querySelector("code").textContent);
    button.hidden = false;
  }
  return { ask, make, moment, copyButton, told, showProblem, clearProblem };
})();
