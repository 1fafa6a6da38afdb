// Parts of a page that stay fresh: `<div data-tick="/operations/queue?part=live">`. Asked every two seconds with the ETag of
// the answer before, so that most answers are empty; not while the tab is hidden, a field is active, text is selected or a
// dialog is open; less often after errors, and never again after a sign-in has ended.
"use strict";
(() => {
  const TICK_MS = 2000, SLOWEST_MS = 60000;

  const isBusy = (part) => {
    const selection = getSelection();
    return document.hidden || (selection && !selection.isCollapsed) || part.matches(":focus-within")
      || document.querySelector("dialog[open]") !== null;
  };

  const keepFresh = (part) => {
    let pause = TICK_MS, etag = "";
    const again = () => setTimeout(ask, pause);
    const ask = async () => {
      if (isBusy(part)) return again();
      try {
        const answer = await fetch(part.dataset.tick, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
        if (answer.status === 401 || answer.redirected) { part.dataset.stale = "1"; return; }
        if (answer.status === 200) {
          etag = answer.headers.get("ETag") || "";
          part.innerHTML = await answer.text();
        }
        pause = answer.ok || answer.status === 304 ? TICK_MS : Math.min(pause * 2, SLOWEST_MS);
      } catch (_) { pause = Math.min(pause * 2, SLOWEST_MS); }
      again();
    };
    again();
  };
  document.querySelectorAll("[data-tick]").forEach(keepFresh);
})();
