// Before the first paint: the scheme this browser chose, so that a dark room does not flash white.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("retinue-color-scheme");
  } catch {
    // a browser that keeps nothing follows the system
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
