// Before the first paint, so that the page does not flash in the other theme. Not a module: those run after parsing.
try {
  const kept = localStorage.getItem("reclaim.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // Storage may be off; the page then follows the system.
}
