// The loop of decisions: the next case is shown at once, verdicts go out behind, in order, each with a key of its own, so
// that one that arrives twice counts once. Without this script each verdict is a form.
"use strict";
(() => {
  const page = document.querySelector("[data-review]");
  if (!page) return;
  const HELD_MIN = 4, UNDOS = 10, RETRY_MS = 2000;
  const api = `/api/v1/${location.pathname.split("/")[1]}/review`;
  const address = page.dataset.review;
  const cases = page.querySelector("[data-cases]"), acts = page.querySelector("[data-acts]"), undos = page.querySelector("[data-undo]");
  const form = acts.querySelector("form.decide"), said = page.querySelector("[data-said]"), empty = page.querySelector("[data-empty]");
  const waiting = [];
  let sending = false, taking = false, stopped = false;

  const held = () => [...cases.children];
  const current = () => held().find((one) => !one.hidden);
  const show = (one) => {
    held().forEach((each) => { each.hidden = each !== one; });
    acts.hidden = !one; empty.hidden = Boolean(one);
  };
  const say = (words) => {
    const n = waiting.length;
    said.textContent = [words, n ? `${n} not saved yet` : ""].filter(Boolean).join(" · ");
  };
  const post = (path, body, key) => fetch(`${api}/${path}`, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "Idempotency-Key": key },
  });
  const fragment = async (answer) => {
    const box = document.createElement("div");
    box.innerHTML = await answer.text();
    return [...box.querySelectorAll("article")].filter((one) => !cases.querySelector(`[data-item="${one.dataset.item}"]`));
  };

  const take = async () => {
    if (taking || stopped || held().length >= HELD_MIN) return;
    taking = true;
    try {
      const ids = [...held().map((one) => one.dataset.item), ...waiting.map((one) => one.article.dataset.item)];
      const query = new URLSearchParams([["part", "cases"], ...ids.map((id) => ["held", id])]);
      const answer = await fetch(`${address}/take?${query}`, { method: "POST" });
      if (answer.ok) {
        const found = await fragment(answer);
        found.forEach((one) => { one.hidden = true; cases.append(one); });
        if (!current()) show(held()[0]);
        if (!held().length && !waiting.length) say("nothing is free now: the rest is done, or with other people");
      }
    } catch (_) { /* The next verdict asks again. */ }
    taking = false;
  };

  const again = async (id, words) => {
    const answer = await fetch(`${address}/items/${id}?part=cases`);
    const found = answer.ok ? await fragment(answer) : [];
    found.forEach((one) => { cases.prepend(one); show(one); });
    say(words);
  };

  const list = (event, verdict, article) => {
    const line = document.createElement("li");
    line.dataset.event = event; line.dataset.item = article.dataset.item;
    const word = document.createElement("span"), button = document.createElement("button");
    word.className = `state ${verdict}`; word.textContent = verdict;
    button.type = "button"; button.className = "quiet"; button.textContent = "Undo"; button.dataset.undoes = event;
    const names = [...article.querySelectorAll("thead th")].slice(1, 3).map((one) => one.textContent).join(" · ");
    line.append(word, ` ${names} `, button);
    undos.prepend(line);
    page.querySelector(".none-yet")?.remove();
    while (undos.children.length > UNDOS) undos.lastElementChild.remove();
    marked();
  };
  // The key undoes the newest one.
  const marked = () => {
    undos.querySelectorAll("[data-keys]").forEach((one) => { delete one.dataset.keys; one.removeAttribute("aria-keyshortcuts"); one.querySelector("kbd")?.remove(); });
    const newest = undos.querySelector("button");
    if (newest) { newest.dataset.keys = "z"; newest.setAttribute("aria-keyshortcuts", "z"); }
  };

  const send = async () => {
    if (sending || stopped) return;
    sending = true;
    let words = "";
    while (waiting.length && !stopped) {
      const { article, verdict, key } = waiting[0];
      const body = { item_id: Number(article.dataset.item), version: Number(article.dataset.version), verdict };
      try {
        const answer = await post("verdicts", body, key);
        if (answer.status === 401) { stopped = true; break; }
        if (answer.status >= 500 || answer.status === 429) throw new Error("later");
        waiting.shift();
        const told = await answer.json();
        if (answer.ok) {
          list(told.event_id, verdict, article);
          words = told.agrees === false ? "The two of you disagree: somebody looks again" : "";
        } else await again(article.dataset.item, told.detail);
        if (answer.ok) say(words);
      } catch (_) {
        say("the server does not answer; trying again");
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
    sending = false;
    if (stopped) say("signed out: sign in in another tab, then press any verdict again");
  };

  const decide = (verdict) => {
    const article = current();
    if (!article) return;
    stopped = false;
    show(article.nextElementSibling || article.previousElementSibling);
    article.remove();
    waiting.push({ article, verdict, key: crypto.randomUUID() });
    say("");
    take(); send();
  };

  const undo = async (line) => {
    const event = Number(line.dataset.event);
    const answer = await post("undo", { event_id: event }, `undo ${event}`);
    if (answer.ok) { line.remove(); marked(); await again(line.dataset.item, "taken back"); return; }
    const told = await answer.json();
    if (answer.status === 409) { line.remove(); marked(); }
    say(told.detail);
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); decide(event.submitter.value); });
  page.addEventListener("submit", (event) => {
    const line = event.target.closest("li[data-event]");
    if (line) { event.preventDefault(); event.stopPropagation(); undo(line); }
    else if (empty.contains(event.target)) { event.preventDefault(); event.stopPropagation(); take(); }
  }, true);
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.undoes) undo(button.closest("li"));
    if (button.dataset.move) {
      const all = held(), at = all.indexOf(current()) + Number(button.dataset.move);
      if (all[at]) show(all[at]);
    }
    if ("why" in button.dataset) { const why = current()?.querySelector("details"); if (why) why.open = !why.open; }
  });
  page.querySelectorAll("[data-move], [data-why]").forEach((one) => { one.hidden = false; });
  addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });
  if (held().length) take();
})();
