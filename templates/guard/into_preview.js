// Goes on into the preview with the part of its address after the #, which redirects keep and a page would not: only the
// browser knows it.
"use strict";
addEventListener("load", () => {
  const link = document.querySelector("a.button");
  if (location.hash) link.hash = location.hash;
  location.replace(link.href);
});
