"use strict";
/* The picker of cipher suites: search, and the order of the chosen ones. The order in the page is the order that is
   posted, so moving an entry is all there is to it; without a script the boxes and "move up" buttons do the same. */
(() => {
  for (const picker of document.querySelectorAll("[data-picker]")) {
    const part = (name) => picker.querySelector(`[data-picker-${name}]`);
    const chosen = part("chosen");
    const search = part("search");
    const status = picker.parentElement.querySelector("[data-picker-status]");
    const groups = [...picker.querySelectorAll("[data-picker-group]")];
    const homes = new Map(groups.flatMap((group) => [...group.children].map((entry) => [entry, group])));
    const nameOf = (entry) => entry.querySelector("input").value;
    const say = (text) => { status.textContent = text; };
    const changed = () => {
      for (const type of ["input", "change"]) picker.dispatchEvent(new Event(type, { bubbles: true }));
    };
    search.closest(".picker-search").hidden = false;

    picker.addEventListener("change", (event) => {
      const box = event.target.closest("input[type=checkbox]");
      if (!box) return;
      const entry = box.closest("li");
      if (box.checked === chosen.contains(entry)) return; // told what is so already: its place must stay
      entry.querySelector("[name=prefer]")?.remove();
      if (box.checked) {
        const button = part("prefer").content.firstElementChild.cloneNode(true);
        button.value = box.value;
        button.querySelector("span").textContent = `Move up ${box.value}`;
        entry.append(button);
      }
      (box.checked ? chosen : (homes.get(entry) ?? groups[0])).append(entry);
      box.focus();
      part("none").hidden = chosen.children.length > 0;
      say(`${box.value} ${box.checked ? `chosen, place ${chosen.children.length}` : "taken out"}`);
    });

    picker.addEventListener("click", (event) => {
      const button = event.target.closest("[name=prefer]");
      if (!button) return;
      event.preventDefault();
      const entry = button.closest("li");
      entry.previousElementSibling?.before(entry);
      button.focus();
      say(`${nameOf(entry)} moved to place ${[...chosen.children].indexOf(entry) + 1}`);
      changed();
    });

    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    search.addEventListener("change", (event) => event.stopPropagation());
    search.addEventListener("input", (event) => {
      event.stopPropagation();
      const words = search.value.toUpperCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const group of groups) {
        let here = 0;
        for (const entry of group.children) {
          entry.hidden = !words.every((word) => nameOf(entry).toUpperCase().includes(word));
          if (!entry.hidden) here += 1;
        }
        group.previousElementSibling.hidden = here === 0;
        found += here;
      }
      part("empty").hidden = found > 0;
      say(words.length ? `${found} suites match` : "");
    });
  }
})();
