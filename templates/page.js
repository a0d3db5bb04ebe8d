// Follows along without a reload: asks for this very page again, and puts in what is new. So folds that somebody opened,
// the focus, a selection and the place that was scrolled to stay.
"use strict";
(() => {
  const SLOWER = 1.5, LONGEST = 5, SECONDS_FOR_AN_ANSWER = 10, FAILURES_TOLD = 3, FAILURES_AT_MOST = 60;
  const main = document.querySelector("main");
  let wait = 0, failures = 0, timer = 0, asking = false;

  // How soon there may be news, in seconds, as the page says it; 0 where it stays as it is.
  const soon = () => Number(main.dataset.again) || 0;

  const plan = () => {
    clearTimeout(timer);
    if (document.hidden || !soon() || failures >= FAILURES_AT_MOST) return;
    wait = Math.min(Math.max(wait, soon()), soon() * LONGEST);
    // Not all at once, where many people look at the same page.
    timer = setTimeout(look, wait * 1000 * (0.9 + 0.2 * Math.random()));
  };

  const look = async () => {
    if (asking) return;
    asking = true;
    try {
      const fresh = await ask();
      const before = told();
      document.title = fresh.title;
      swap(fresh.querySelector("main"));
      wait = told() === before ? wait * SLOWER : 0;
      failures = 0;
    } catch {
      // A sign-in that has ended, a network that is away, web or the API server that does not answer.
      wait *= 2;
      if (++failures === FAILURES_TOLD) say();
    }
    asking = false;
    plan();
  };

  const ask = async () => {
    const answer = await fetch(location.href, {
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(SECONDS_FOR_AN_ANSWER * 1000),
    });
    if (!answer.ok && answer.status !== 404) throw new Error(`answered with ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector("main[data-again]")) throw new Error("not a page of previewbot's");
    return fresh;
  };

  // What counts as news. Times pass on every page; that alone is no reason to look more often.
  const told = () => [...main.querySelectorAll("[data-news]")].map((each) => each.textContent).join("\n");

  const say = () => {
    const late = document.getElementById("late");
    if (late) late.textContent = late.dataset.words;
  };

  const swap = (fresh) => {
    const focus = document.activeElement;
    alike(main, fresh);
    if (focus === document.activeElement) return;
    // What moved is focused again; what is gone, as a button may be, hands it to the heading.
    const next = focus.isConnected ? focus : main.querySelector("h1");
    if (!focus.isConnected) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  };

  const alike = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    // Whether a fold is open is the reader's.
    const theirs = (name) => name === "open" || name === "tabindex";
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !theirs(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !theirs(name)) old.setAttribute(name, value);
    }
    const left = [...old.childNodes];
    const pairs = [...fresh.childNodes].map((each) => {
      const at = left.findIndex((one) => same(one, each));
      return [at < 0 ? null : left.splice(at, 1)[0], each];
    });
    for (const gone of left) gone.remove();
    let place = old.firstChild;
    for (const [known, each] of pairs) {
      if (known) alike(known, each);
      // What is in its place already is not touched: to move it would take the focus away.
      if (known && known === place) place = place.nextSibling;
      else old.insertBefore(known || document.importNode(each, true), place);
    }
  };

  const key = (node) => node.id || (node.dataset && node.dataset.key) || "";
  const same = (one, other) => one.nodeName === other.nodeName && key(one) === key(other);

  const returned = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    // Also where it stays as it is: somebody may just have started the preview again, in another tab.
    failures = Math.min(failures, FAILURES_TOLD);
    look();
  };

  document.addEventListener("visibilitychange", returned);
  addEventListener("pageshow", (event) => event.persisted && returned());
  plan();
})();
