"use strict";

// The audit trail, by the REST API. Times are UTC, as in the trail.
(() => {
  const { ask, make, moment, told, showProblem, clearProblem } = ctxfy;
  const byId = (id) => document.getElementById(id);
  const [search, table, more, verdict] = ["search", "events", "more", "verdict"].map(byId);
  const body = table.querySelector("tbody");
  let shown = new URLSearchParams();
  let cursor = null;

  function wished() {
    const pairs = [...new FormData(search)].map(([name, value]) => [name, value.trim()]);
    return new URLSearchParams(pairs.filter(([, value]) => value));
  }

  function asked(wish) {
    const query = new URLSearchParams(wish);
    for (const name of ["since", "until"]) {
      if (query.has(name)) {
        query.set(name, `${query.get(name)}Z`);
      }
    }
    return query;
  }

  function personOf(name, whenNobody) {
    return name === "" ? "erased" : (name ?? whenNobody);
  }

  function rowOf(event) {
    const cell = (label, ...inside) =>
      make("td", { "data-label": label }, make("div", {}, ...inside));
    const who = [make("p", { dir: "auto" }, personOf(event.user_id, "nobody known"))];
    if (event.key_id !== null) {
      who.push(make("p", {}, make("code", {}, event.key_id)));
    }
    const what = event.target === null ? [] : [make("p", { dir: "auto" }, event.target)];
    if (event.subject !== null) {
      what.push(make("p", { dir: "auto" }, personOf(event.subject)));
    }
    const details = {
      request_id: event.request_id,
      ...(event.readable ? event.details : { details: "cannot be read" }),
      chain: event.chain,
      seq: event.seq,
      hash: event.hash,
    };
    const pre = make("pre", { tabindex: "0" }, JSON.stringify(details, null, 2));
    return make(
      "tr",
      {},
      make("th", { scope: "row", "data-label": "When" }, moment(event.at, "")),
      cell("What", make("code", {}, event.action)),
      cell("Who", ...who),
      cell("To what", ...what),
      cell("Outcome", make("span", { class: event.outcome === "ok" ? "state active" : "state" }, event.outcome)),
      cell("More", make("details", {}, make("summary", {}, "Details"), pre)),
    );
  }

  async function show({ isMore = false } = {}) {
    if (!isMore) {
      shown = wished();
      history.replaceState(null, "", shown.size ? `?${shown}` : location.pathname);
    }
    const query = asked(shown);
    query.set("limit", "50");
    if (isMore) {
      query.set("cursor", cursor);
    }
    const answer = await ask("GET", `audit/events?${query}`);
    if (!answer.ok) {
      showProblem(search, answer, (field) => byId(`with-${field}`));
      return;
    }
    clearProblem(search);
    const rows = answer.body.events.map(rowOf);
    if (isMore) {
      body.append(...rows);
    } else {
      body.replaceChildren(...rows);
    }
    cursor = answer.body.next_cursor;
    more.hidden = cursor === null;
    table.hidden = body.rows.length === 0;
    const count = body.rows.length;
    byId("count").textContent = `${count}${cursor === null ? "" : " and more"} ${count === 1 ? "event" : "events"}`;
  }

  async function verify() {
    const button = byId("verify");
    button.disabled = true;
    verdict.replaceChildren(make("p", { class: "faint" }, "Verifying ..."));
    const answer = await ask("GET", "audit/verify");
    button.disabled = false;
    if (!answer.ok) {
      verdict.replaceChildren(make("p", { class: "error" }, ...told(answer)));
      return;
    }
    const { valid, events, chains, faults } = answer.body;
    const sentence = valid
      ? make("p", { class: "good" }, `The trail is whole: ${events} events in ${chains} ${chains === 1 ? "chain" : "chains"}.`)
      : make("p", { class: "error" }, "The trail is not as it was written.");
    const list = faults.map(({ chain, seq, reason }) =>
      make("li", {}, `Chain ${chain}, event ${seq}: ${reason}`));
    verdict.replaceChildren(sentence, ...(list.length ? [make("ul", {}, ...list)] : []));
    verdict.focus();
  }

  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = search.elements.namedItem(name);
    if (field instanceof HTMLInputElement) {
      field.value = value;
    }
  }
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  search.addEventListener("reset", () => setTimeout(() => {
    clearProblem(search);
    show();
  }));
  more.addEventListener("click", () => show({ isMore: true }));
  byId("verify").addEventListener("click", verify);
  show();
})();
