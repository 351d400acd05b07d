"use strict";

// Keys, by the REST API: what this page can do, so can any program with such a key.
(() => {
  const { ask, make, moment, told, showProblem, clearProblem } = ctxfy;
  const byId = (id) => document.getElementById(id);
  const [create, search, table, more] = ["create", "search", "keys", "more"].map(byId);
  const body = table.querySelector("tbody");
  const KEYS = "auth/api-keys";
  let cursor = null;
  let own = null;

  // A refusal that belongs to no field.
  function refuse(answer) {
    const box = byId("problem");
    box.replaceChildren(...told(answer));
    box.hidden = false;
    box.focus();
  }

  function words(text) {
    return text.split(/[\s,]+/).filter(Boolean);
  }

  function showSecret(key, title) {
    byId("secret-title").textContent = title;
    byId("secret-key").textContent = key;
    byId("secret").hidden = false;
    byId("secret").focus();
  }

  function hideSecret() {
    byId("secret-key").textContent = "";
    byId("secret").hidden = true;
  }

  // The list

  function stateOf(key) {
    const isOver = key.expires_at !== null && Date.parse(key.expires_at) <= Date.now();
    return key.status === "active" && isOver ? "expired" : key.status;
  }

  function mayOf(key) {
    const parts = [make("p", {}, key.scope)];
    if (!key.prompts.includes("*")) {
      parts.push(make("p", {}, make("code", {}, key.prompts.join(" "))));
    }
    if (key.networks.length) {
      parts.push(make("p", { class: "faint small" }, `from ${key.networks.join(", ")}`));
    }
    if (key.rate_limit !== null) {
      parts.push(make("p", { class: "faint small" }, key.rate_limit));
    }
    return parts;
  }

  function rowOf(key) {
    const state = stateOf(key);
    const id = make("p", {}, make("code", {}, key.key_id));
    if (key.key_id === own) {
      id.append(" ", make("span", { class: "chip" }, "yours"));
    }
    const name = key.name ? [make("p", { class: "faint small", dir: "auto" }, key.name)] : [];
    const cell = (label, ...inside) =>
      make("td", { "data-label": label }, make("div", {}, ...inside));
    return make(
      "tr",
      { "data-key": key.key_id },
      make("th", { scope: "row", "data-label": "Key" }, make("div", {}, id, ...name)),
      cell("User", make("span", { dir: "auto" }, key.user_id)),
      cell("May", ...mayOf(key)),
      cell("Last use", moment(key.last_used_at, "never")),
      cell("Ends", moment(key.expires_at, "never")),
      cell("State", make("span", { class: `state ${state}` }, state)),
      cell("Do", make("div", { class: "actions" }, ...buttonsOf(key, state))),
    );
  }

  function buttonsOf(key, state) {
    if (state === "revoked") {
      return [];
    }
    const button = (label, act, kind = "quiet") => {
      const made = make(
        "button",
        { type: "button", class: kind, "aria-label": `${label} ${key.key_id}` },
        label,
      );
      made.addEventListener("click", act);
      return made;
    };
    const known = { active: "Disable", disabled: "Enable" };
    return [
      ...(state === "active" ? [button("Rotate", () => rotate(key))] : []),
      ...(known[state] ? [button(known[state], () => change(key, known[state].toLowerCase()))] : []),
      button("Revoke", () => revoke(key), "danger"),
    ];
  }

  async function show({ isMore = false } = {}) {
    const wish = new URLSearchParams([...new FormData(search)].filter(([, value]) => value));
    if (isMore) {
      wish.set("cursor", cursor);
    }
    const answer = await ask("GET", `${KEYS}?${wish}`);
    if (!answer.ok) {
      refuse(answer);
      return;
    }
    byId("problem").hidden = true;
    const rows = answer.body.api_keys.map(rowOf);
    if (isMore) {
      body.append(...rows);
    } else {
      body.replaceChildren(...rows);
    }
    cursor = answer.body.next_cursor;
    more.hidden = cursor === null;
    table.hidden = body.rows.length === 0;
    const count = body.rows.length;
    byId("count").textContent = `${count}${cursor === null ? "" : " and more"} ${count === 1 ? "key" : "keys"}`;
  }

  function replaceRow(key) {
    body.querySelector(`[data-key="${key.key_id}"]`)?.replaceWith(rowOf(key));
  }

  // What is done to a key

  function confirmed(title, text, yes, { isRotation = false, kind = "" } = {}) {
    const dialog = byId("ask");
    byId("ask-title").textContent = title;
    byId("ask-text").textContent = text;
    byId("ask-yes").textContent = yes;
    byId("ask-yes").className = kind;
    byId("ask-grace").hidden = !isRotation;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  async function rotate(key) {
    const text = `${key.user_id} gets a new secret, which is shown once.`;
    if (!(await confirmed(`Rotate ${key.key_id}?`, text, "Rotate", { isRotation: true }))) {
      return;
    }
    const grace = Number(byId("grace").value);
    const answer = await ask("POST", `${KEYS}/${key.key_id}/rotate`, { grace_hours: grace });
    if (answer.ok) {
      showSecret(answer.body.api_key, `The new key of ${answer.body.user_id}`);
      replaceRow(answer.body);
    } else {
      refuse(answer);
    }
  }

  async function change(key, what) {
    const answer = await ask("POST", `${KEYS}/${key.key_id}/${what}`);
    if (answer.ok) {
      replaceRow(answer.body);
    } else {
      refuse(answer);
    }
  }

  async function revoke(key) {
    const text = `It ends for good, within a second, and so do the sessions of ${key.user_id} with it.`;
    if (!(await confirmed(`Revoke ${key.key_id}?`, text, "Revoke", { kind: "danger" }))) {
      return;
    }
    const answer = await ask("DELETE", `${KEYS}/${key.key_id}`);
    if (!answer.ok) {
      refuse(answer);
      return;
    }
    const now = await ask("GET", `${KEYS}/${key.key_id}`);
    if (now.ok) {
      replaceRow(now.body);
    }
  }

  async function createKey(event) {
    event.preventDefault();
    const wish = Object.fromEntries(new FormData(create));
    const button = create.querySelector("button");
    button.disabled = true;
    const answer = await ask("POST", KEYS, {
      user_id: wish.user_id.trim(),
      name: wish.name.trim(),
      scope: wish.scope,
      ttl_hours: wish.ttl_hours ? Number(wish.ttl_hours) : null,
      prompts: words(wish.prompts).length ? words(wish.prompts) : ["*"],
      networks: words(wish.networks),
      rate_limit: wish.rate_limit.trim() || null,
    });
    button.disabled = false;
    if (!answer.ok) {
      showProblem(create, answer, (field) => byId(`new-${field.split(/[.[]/)[0]}`));
      return;
    }
    clearProblem(create);
    create.reset();
    byId("new").open = false;
    showSecret(answer.body.api_key, `The key of ${answer.body.user_id}`);
    await show();
  }

  async function begin() {
    const answer = await ask("GET", `${KEYS}/current`);
    own = answer.body?.key_id ?? null;
    await show();
  }

  create.addEventListener("submit", createKey);
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  more.addEventListener("click", () => show({ isMore: true }));
  byId("secret-done").addEventListener("click", hideSecret);
  window.addEventListener("pagehide", hideSecret);
  begin();
})();
