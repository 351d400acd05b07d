"use strict";

// The server does the same for whoever has no script; this does it while somebody types.
(() => {
  const form = document.getElementById("search");
  if (!form) {
    return;
  }
  const cards = [...document.querySelectorAll("#cards > .card")].map((element) => ({
    element,
    owner: element.dataset.owner,
    tags: JSON.parse(element.dataset.tags),
    text: element.textContent.toLowerCase(),
  }));

  function look() {
    const wish = Object.fromEntries(new FormData(form));
    const words = wish.q.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const card of cards) {
      const fits =
        (!wish.tag || card.tags.includes(wish.tag)) &&
        (!wish.owner || card.owner === wish.owner) &&
        words.every((word) => card.text.includes(word));
      card.element.hidden = !fits;
      found += fits ? 1 : 0;
    }
    document.getElementById("count").textContent = `${found} of ${cards.length}`;
    document.getElementById("none").hidden = found > 0;
    const query = new URLSearchParams(Object.entries(wish).filter(([, value]) => value));
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  }

  document.getElementById("find").hidden = true;
  form.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });
})();
