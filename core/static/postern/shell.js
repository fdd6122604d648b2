"use strict";
/* What every page does a little better with a script. Everything works without it. */
(() => {
  const root = document.documentElement;

  // The theme changes in place, so that a half-filled form is not lost to a reload.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".theme-switch");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    const body = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body, redirect: "manual" })
      .then(() => {
        root.dataset.theme = chosen;
        for (const button of form.querySelectorAll("button")) {
          button.setAttribute("aria-pressed", String(button.value === chosen));
        }
      })
      .catch(() => form.submit());
  });

  // "/" goes to the search field, unless somebody is typing.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = document.querySelector("input[type=search][data-slash]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Filters apply when they are chosen; their button is for those without a script.
  for (const form of document.querySelectorAll("form[data-auto-submit]")) {
    form.querySelector("[data-auto-submit-button]")?.setAttribute("hidden", "");
    form.addEventListener("change", (event) => {
      if (event.target.matches("select")) form.requestSubmit();
    });
  }

  // A search above a list that is there already narrows it; without a script the whole list stays.
  const narrow = (search) => {
    const entries = [...document.getElementById(search.dataset.narrows).children];
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of entries) entry.hidden = !words.every((word) => entry.textContent.toLowerCase().includes(word));
    const found = entries.filter((entry) => !entry.hidden).length;
    document.getElementById(search.dataset.status).textContent = words.length ? `${found} found` : "";
  };
  const offer = () => {
    for (const search of document.querySelectorAll("input[data-narrows]")) search.parentElement.hidden = false;
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches("input[data-narrows]")) narrow(event.target);
  });
  document.addEventListener("htmx:afterSettle", offer);
  offer();

  // The summary of errors is the one thing that takes the focus by itself.
  document.querySelector(".error-summary")?.focus();

  // Compare a pasted fingerprint with those shown inside the same [data-compare] element.
  document.addEventListener("input", (event) => {
    const input = event.target.closest("[data-compare] input[data-compare-input]");
    if (!input) return;
    const scope = input.closest("[data-compare]");
    const output = scope.querySelector("[data-compare-output]");
    const wanted = input.value.replace(/^\s*(sha-?256)?[\s=:]*(fingerprint)?[\s=:]*/i, "").replace(/[\s:]/g, "").toLowerCase();
    output.className = "";
    if (!wanted) {
      output.textContent = "";
      return;
    }
    const match = [...scope.querySelectorAll("[data-fingerprint]")].find((shown) => shown.dataset.fingerprint === wanted);
    output.className = match ? "is-ok" : "is-failed";
    if (match) {
      output.textContent = `✓ Match: this is the fingerprint of ${match.dataset.name || match.closest("li")?.querySelector("h3")?.textContent.trim() || "a certificate of this chain"}.`;
    } else if (!/^[0-9a-f]{64}$/.test(wanted)) {
      output.textContent = `A SHA-256 fingerprint has 64 hexadecimal digits; this has ${wanted.length}.`;
    } else {
      output.textContent = "✗ No match: no certificate of this chain has this fingerprint. Do not trust it.";
    }
  });
})();
