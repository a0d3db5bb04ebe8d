// Follows along without a reload: asks the page's JSON whether there is news, and if so for this very page, and puts in what
// is new. So folds that somebody opened, what they wrote, the focus, a selection and the place that was scrolled to stay.
"use strict";
(() => {
  const SLOWER = 1.5, LONGEST = 5, SECONDS_FOR_AN_ANSWER = 10, FAILURES_TOLD = 3, FAILURES_AT_MOST = 60;
  const MINUTE = 60000, ONCE_ANSWERED = [200, 304, 404];
  const main = document.querySelector("main");
  let wait = 0, failures = 0, timer = 0, asking = false, tag = main.dataset.tag;

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
      const before = told();
      if (await hasNews()) {
        const fresh = await ask();
        document.title = fresh.title;
        swap(fresh.querySelector("main"));
      }
      wait = told() === before ? wait * SLOWER : 0;
      failures = 0;
      say(false);
    } catch {
      // A sign-in that has ended, a network that is away, pages or the API server that does not answer.
      wait *= 2;
      if (++failures === FAILURES_TOLD) say(true);
    }
    asking = false;
    plan();
  };

  const answer = async (address, headers) => {
    const found = await fetch(address, {
      cache: "no-store",
      redirect: "error",
      headers,
      signal: AbortSignal.timeout(SECONDS_FOR_AN_ANSWER * 1000),
    });
    if (!ONCE_ANSWERED.includes(found.status)) throw new Error(`answered with ${found.status}`);
    return found;
  };

  // By its ETag, so that no news costs next to nothing on either side.
  const hasNews = async () => {
    if (!main.dataset.json) return true;
    const found = await answer(main.dataset.json, tag ? { "If-None-Match": tag } : {});
    if (found.status === 304) return false;
    tag = found.headers.get("ETag") || "";
    return true;
  };

  const ask = async () => {
    const found = await answer(location.href, {});
    const fresh = new DOMParser().parseFromString(await found.text(), "text/html");
    if (!fresh.querySelector("main[data-again]")) throw new Error("not a page of previewbot's");
    return fresh;
  };

  // What counts as news. Times pass on every page; that alone is no reason to look more often.
  const told = () => [...main.querySelectorAll("[data-news]")].map((each) => each.textContent).join("\n");

  // Also where there is no news, and the page stays as it is: then it is true again.
  const say = (isLate) => {
    const late = document.getElementById("late");
    if (late) late.textContent = isLate ? late.dataset.words : "";
  };

  const swap = (fresh) => {
    const focus = document.activeElement;
    alike(main, fresh);
    dress();
    if (focus === document.activeElement) return;
    // What moved is focused again; what is gone, as a button may be, hands it to the heading.
    const next = focus.isConnected ? focus : main.querySelector("h1");
    if (!focus.isConnected) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  };

  // Whether a fold is open is the reader's, and a button that copies is shown by this script.
  const theirs = (name) => name === "open" || name === "tabindex" || name === "hidden";

  const alike = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    // Which commit is judged: the one that answered when this page was opened, whatever answers by now.
    if (old.hasAttribute("data-keep")) return;
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
    for (const gone of left) if (!isWritten(gone)) gone.remove();
    let place = old.firstChild;
    for (const [known, each] of pairs) {
      if (known) alike(known, each);
      // What is in its place already is not touched: to move it would take the focus away.
      if (known && known === place) place = place.nextSibling;
      else old.insertBefore(known || document.importNode(each, true), place);
    }
  };

  // What somebody has begun to write stays, also while nothing answers that they could judge.
  const isWritten = (node) => [...(node.querySelectorAll ? node.querySelectorAll("textarea") : [])].some((each) => each.value);

  const key = (node) => node.id || (node.dataset && node.dataset.key) || "";
  const same = (one, other) => one.nodeName === other.nodeName && key(one) === key(other);

  // What only a script can add to a page: the reader's own clock and zone, both addresses at one path, a copy.
  const dress = () => {
    for (const each of main.querySelectorAll("time")) each.textContent = inTime(each);
    point();
    changed();
    for (const each of main.querySelectorAll("[data-copy]")) each.hidden = !navigator.clipboard;
  };

  const inTime = (each) => {
    const moment = new Date(each.dateTime);
    if (each.hasAttribute("data-relative")) return fromNow(moment - Date.now());
    return moment.toLocaleString(undefined, {
      weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
    });
  };

  // As the server says it (text/durations.py).
  const fromNow = (left) => (left > 0 ? `in ${spoken(left)}` : `${spoken(-left)} ago`);
  const counted = (count, unit) => `${count} ${unit}${count > 1 ? "s" : ""}`;
  const spoken = (duration) => {
    const all = Math.floor(duration / MINUTE), minutes = all % 60, hours = Math.floor(all / 60) % 24;
    const days = Math.floor(all / 1440);
    if (days) return counted(days, "day") + (hours ? ` ${hours} h` : "");
    if (hours) return minutes ? `${hours} h ${minutes} min` : counted(hours, "hour");
    return minutes ? counted(minutes, "minute") : "less than a minute";
  };

  // The preview and staging at the page that somebody names; never at another host.
  const point = () => {
    const path = (document.getElementById("path") || {}).value || "";
    for (const each of main.querySelectorAll("a[data-base]")) {
      const base = new URL(each.dataset.base);
      const there = path.startsWith("/") ? new URL(path, base) : base;
      each.href = there.origin === base.origin ? there.href : base.href;
    }
  };

  // Somebody looked at one commit, and another answers by now.
  const changed = () => {
    const judged = main.querySelector("input[name=sha]"), news = document.getElementById("changed");
    const section = document.getElementById("say-what-you-think");
    if (judged && news && section) news.hidden = section.dataset.sha === judged.value;
  };

  // Who looks again opens the page anew, and finds there what they had begun to write: once, and in this tab alone.
  const KEPT = `words ${location.pathname}`;
  const store = (act) => { try { return act(sessionStorage); } catch { return null; } };
  const written = () => document.getElementById("words");
  const keep = () => store((place) => place.setItem(KEPT, written().value));
  const find = () => {
    // Not while a page is shown that has no place for them, as while the cluster does not answer.
    if (!written()) return;
    const kept = store((place) => place.getItem(KEPT));
    store((place) => place.removeItem(KEPT));
    if (kept && !written().value) written().value = kept;
  };

  const copy = async (button) => {
    const line = button.dataset.before + document.getElementById(button.dataset.copy).value;
    await navigator.clipboard.writeText(line);
    button.textContent = "Copied";
  };

  const returned = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    // Also where it stays as it is: somebody may just have started the preview again, in another tab.
    failures = Math.min(failures, FAILURES_TOLD);
    look();
  };

  document.addEventListener("visibilitychange", returned);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const each of main.querySelectorAll("button")) each.disabled = false;
    returned();
  });
  main.addEventListener("input", point);
  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("#changed a")) keep();
  });
  // Sent once. Not before the browser has taken up which button it was.
  main.addEventListener("submit", (event) => {
    setTimeout(() => { for (const each of event.target.querySelectorAll("button")) each.disabled = true; });
  });
  setInterval(() => {
    for (const each of main.querySelectorAll("time[data-relative]")) each.textContent = inTime(each);
  }, MINUTE / 2);
  find();
  dress();
  plan();
})();
