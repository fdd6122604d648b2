"use strict";
/* The form of a connection: fields that appear with their condition, a port that follows the security while nobody
   touched it, suggestions in one click, and a question before unsaved edits are left. The server decides all the same. */
(() => {
  const form = document.querySelector("[data-connection-form]");
  if (!form) return;
  const result = document.getElementById("test-result");
  const unsaved = form.querySelector("[data-unsaved]");
  const shown = form.elements._shown;
  const ports = JSON.parse(form.dataset.usualPorts);
  let edited = "edited" in form.dataset;
  let leaving = false;

  const controls = (name) => [...form.elements].filter((control) => control.name === name && control.type !== "hidden");
  const valueOf = (name) => {
    const all = controls(name);
    return all.length && all[0].type === "radio" ? (all.find((control) => control.checked)?.value ?? "") : (all[0]?.value ?? "");
  };

  // The condition as the server declares it: terms `name=A|B` or `name>=1` joined by `and`, alternatives by `or`.
  const termHolds = (term) => {
    const [, name, operator, values] = term.match(/^(\w+)(>=|=)(.*)$/);
    const value = valueOf(name);
    return operator === ">=" ? /^\d+$/.test(value) && Number(value) >= Number(values) : values.split("|").includes(value);
  };
  const holds = (condition) => condition.split(" or ").some((terms) => terms.split(" and ").every(termHolds));
  const showConditional = () => {
    for (const element of form.querySelectorAll("[data-show-if]")) {
      const on = holds(element.dataset.showIf);
      element.hidden = !on;
      for (const control of element.querySelectorAll("input, select, textarea")) control.disabled = !on;
      if (element.matches("fieldset")) element.disabled = !on;
    }
  };

  const set = (name, values) => {
    // In the order of the values: where several are chosen at once, it is the order of preference.
    const place = (control) => values.indexOf(control.value);
    for (const control of [...controls(name)].sort((one, other) => place(one) - place(other))) {
      if (control.type === "radio" || (control.type === "checkbox" && control.value !== "on")) {
        const before = control.checked;
        control.checked = values.includes(control.value);
        if (before !== control.checked && control.closest("[data-picker]")) control.dispatchEvent(new Event("change", { bubbles: true }));
      }
      else if (control.type === "checkbox") control.checked = /^(on|true)$/i.test(values[0]);
      else control.value = values[0];
    }
  };
  const touch = (name) => {
    if (!name) return;
    const names = new Set(shown.value.split(",").filter(Boolean));
    names.add(name.replace(/^clear_/, ""));
    shown.value = [...names].join(",");
  };

  // A port is untouched while it is empty or what the last choice of the security proposed.
  let proposed = valueOf("port") === "" ? "" : null;
  const proposePort = () => {
    const port = form.elements.port;
    if (proposed === null || port.value !== proposed) return;
    const protocol = valueOf("store_type") || Object.keys(ports)[0];
    proposed = String(ports[protocol]?.[valueOf("connection_security")] ?? "");
    port.value = proposed;
    if (proposed) touch("port");
  };

  const markEdited = () => {
    edited = true;
    if (unsaved) unsaved.hidden = false;
    result?.classList.add("is-outdated");
  };

  form.addEventListener("input", (event) => {
    if (!event.target.closest("[data-picker-search]")) markEdited();
    if (["max_retries", "credential"].includes(event.target.name)) showConditional();
  });
  form.addEventListener(
    "change",
    (event) => {
      if (["connection_security", "store_type"].includes(event.target.name)) proposePort();
      if (event.target.name === "port") proposed = null;
      touch(event.target.name);
      showConditional();
    },
    true, // before htmx posts the form for its errors
  );

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=apply]");
    if (!button) return;
    event.preventDefault();
    let last = null;
    const offered = new URLSearchParams(button.value);
    for (const name of new Set(offered.keys())) {
      set(name, offered.getAll(name));
      touch(name);
      last = controls(name)[0] ?? last;
    }
    markEdited();
    showConditional();
    last?.dispatchEvent(new Event("change", { bubbles: true }));
    last?.focus();
  });

  // After a check the notes stand in place; the controls say whether they are wrong.
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    const notes = event.target;
    if (!notes.matches(".notes")) return;
    const wrong = "invalid" in notes.dataset;
    notes.closest(".field")?.classList.toggle("is-invalid", wrong);
    for (const control of controls(notes.dataset.for)) {
      if (control.type === "radio" || control.type === "checkbox") continue;
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (["test-button", "folders-button"].includes(event.target.id) && event.detail.successful) result?.classList.remove("is-outdated");
  });

  // The STENGs to choose from are those of the cluster that is chosen.
  const follow = (select) => {
    const source = document.getElementsByName(select.dataset.dependsOn)[0];
    if (!source) return;
    const every = [...select.querySelectorAll("optgroup")];
    const update = () => {
      for (const group of every) {
        const on = !source.value || group.label === source.value;
        group.hidden = !on;
        group.disabled = !on;
      }
      if (select.selectedOptions[0]?.closest("optgroup")?.disabled) select.value = "";
    };
    source.addEventListener("change", update);
    update();
  };
  for (const select of document.querySelectorAll("[data-depends-on]")) follow(select);

  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => {
    if (edited && !leaving) event.preventDefault();
  });

  showConditional();
})();
