"use strict";
/* The check boxes of a list: how many are chosen, all of this page at once, and buttons only while something is. */
(() => {
  const form = document.querySelector("form[data-bulk]");
  if (!form) return;
  const rows = [...form.querySelectorAll("input[name=ids]")];
  const page = form.querySelector("[data-bulk-page]");
  const all = form.querySelector("[data-bulk-all]");
  const count = form.querySelector("[data-bulk-count]");
  const buttons = form.querySelectorAll("button[name=action]");

  function show() {
    const chosen = rows.filter((row) => row.checked).length;
    const number = all.checked ? Number(all.dataset.bulkAll) : chosen;
    page.checked = chosen === rows.length;
    page.indeterminate = chosen > 0 && chosen < rows.length;
    count.textContent = number ? `${number.toLocaleString("en")} selected` : "Select connections to act on them";
    for (const button of buttons) button.disabled = number === 0;
  }

  form.addEventListener("change", (event) => {
    if (event.target === page || event.target === all) {
      for (const row of rows) row.checked = event.target.checked;
      if (event.target === page && !page.checked) all.checked = false;
    } else if (rows.includes(event.target) && !event.target.checked) {
      all.checked = false;
    }
    show();
  });

  page.hidden = false;
  // A browser that comes back to the page ticks the boxes again after scripts have run.
  addEventListener("pageshow", show);
  show();
})();
