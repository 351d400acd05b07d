"use strict";

// The form of a prompt: what is typed becomes arguments, those the calls below and a rendering.
(() => {
  const { ask, make, copyButton, showProblem, clearProblem } = ctxfy;
  const form = document.getElementById("form");
  const result = document.getElementById("result");
  const fields = [...form.querySelectorAll("[data-argument]")];
  const nothing = result.firstElementChild;

  // Values are sent in their type if they have its form, else as they were typed: the server says
  // what is wrong with them.
  function typed(text, kind) {
    switch (kind) {
      case "integer":
        return /^[-+]?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
      case "number":
        return text.trim() && Number.isFinite(Number(text)) ? Number(text) : text;
      case "boolean":
        return { true: true, false: false }[text] ?? text;
      case "object":
      case "any":
        return parsed(text, (value) => value !== undefined);
      default:
        return text;
    }
  }

  function parsed(text, fits) {
    try {
      const value = JSON.parse(text);
      return fits(value) ? value : text;
    } catch {
      return text;
    }
  }

  function listed(text, kind) {
    const whole = parsed(text, Array.isArray);
    if (Array.isArray(whole)) {
      return whole;
    }
    const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
    return lines.map((line) => typed(line, kind));
  }

  // Undefined where nothing is given.
  function valueOf(field) {
    if (field.matches("fieldset")) {
      const ticked = [...field.querySelectorAll("input:checked")].map((each) => each.value);
      return ticked.length ? ticked : undefined;
    }
    const { kind, items } = field.dataset;
    if (field.value === "") {
      return undefined;
    }
    return kind === "list" ? listed(field.value, items) : typed(field.value, kind);
  }

  function given() {
    const pairs = fields.map((field) => [field.dataset.argument, valueOf(field)]);
    return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
  }

  function fill(values) {
    for (const field of fields) {
      const value = values[field.dataset.argument];
      if (field.matches("fieldset")) {
        const wanted = [value ?? []].flat();
        for (const each of field.querySelectorAll("input")) {
          each.checked = wanted.includes(each.value);
        }
      } else if (value === undefined) {
        field.value = "";
      } else if (field.dataset.kind === "list" && Array.isArray(value) && isSimple(value)) {
        field.value = value.join("\n");
      } else {
        field.value = typeof value === "string" ? value : JSON.stringify(value);
      }
    }
    clearProblem(form);
    writeCalls();
  }

  function isSimple(list) {
    return list.every((item) => typeof item !== "object" && !String(item).includes("\n"));
  }

  // The calls

  const forms = {
    shell: (values) => JSON.stringify(values).replaceAll("'", "'\\''"),
    python: (values) => pythonLiteral(values, "    "),
    mcp: (values) => {
      const texts = Object.entries(values).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      return JSON.stringify(Object.fromEntries(texts), null, 2).replaceAll("\n", "\n    ");
    },
  };

  function pythonLiteral(value, indent) {
    const inner = `${indent}    `;
    const lines = (first, parts, last) =>
      `${first}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${last}`;
    if (Array.isArray(value)) {
      const parts = value.map((item) => pythonLiteral(item, inner));
      return parts.length ? lines("[", parts, "]") : "[]";
    }
    if (value === null || typeof value === "boolean") {
      return { null: "None", true: "True", false: "False" }[String(value)];
    }
    if (typeof value === "object") {
      const parts = Object.entries(value).map(
        ([name, item]) => `${JSON.stringify(name)}: ${pythonLiteral(item, inner)}`,
      );
      return parts.length ? lines("{", parts, "}") : "{}";
    }
    return JSON.stringify(value);
  }

  function writeCalls() {
    const values = given();
    for (const field of fields) {
      const name = field.dataset.argument;
      if (field.dataset.privacy === "secret" && name in values) {
        values[name] = `<${name}>`;
      }
    }
    for (const place of document.querySelectorAll("[data-form]")) {
      place.textContent = forms[place.dataset.form](values);
    }
  }

  // The result

  function contentOf(content) {
    if (content.type === "text") {
      return make("pre", { dir: "auto", tabindex: "0" }, content.text);
    }
    if (content.type === "image") {
      return make("img", {
        src: `data:${content.mimeType};base64,${content.data}`,
        alt: `Image of the prompt, ${content.mimeType}`,
      });
    }
    const { uri, mimeType, text } = content.resource;
    const told = make("p", { class: "faint small" }, "Resource ", make("code", {}, uri), ` ${mimeType}`);
    const inside = text === undefined
      ? make("p", {}, "It is no text.")
      : make("pre", { dir: "auto", tabindex: "0" }, text);
    return make("div", {}, told, inside);
  }

  function messageOf({ role, content }) {
    const head = make("div", { class: "message-head" }, make("h3", {}, make("span", { class: "role" }, role)));
    const text = content.type === "text" ? content.text : content.resource?.text;
    if (text !== undefined) {
      head.append(copyButton(text));
    }
    return make("div", { class: "message", "data-role": role }, head, contentOf(content));
  }

  function show(answer) {
    const { version, messages, llm_model: model, execution_time_ms: took } = answer;
    const facts = [`Version ${version}`, model, `${took} ms`].filter(Boolean).join(", ");
    const head = make("div", { class: "result-head" }, make("p", {}, facts));
    if (messages.length > 1) {
      head.append(copyButton(answer.result, "Copy all text"));
    }
    result.replaceChildren(head, ...messages.map(messageOf));
  }

  async function render(event) {
    event.preventDefault();
    const button = document.getElementById("render");
    const { name, version } = form.dataset;
    button.disabled = true;
    const answer = await ask("POST", `prompts/${encodeURIComponent(name)}/execute`, {
      arguments: given(),
      ...(version === undefined ? {} : { version }),
    });
    button.disabled = false;
    if (answer.ok) {
      clearProblem(form);
      show(answer.body);
      return;
    }
    result.replaceChildren(nothing);
    // A mistake inside a list is told of its item: topics.3
    showProblem(form, answer, (field) => document.getElementById(`argument-${field.split(/[.[]/)[0]}`));
  }

  form.addEventListener("submit", render);
  form.addEventListener("input", writeCalls);
  form.addEventListener("reset", () => setTimeout(() => fill({})));
  for (const button of form.querySelectorAll("button")) {
    button.disabled = false;
    if (button.dataset.example !== undefined) {
      button.addEventListener("click", () => fill(JSON.parse(button.dataset.example)));
    }
  }
})();
