// Light and dark: the reader's own setting, and the switch at the top that overrules it.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;

export function isDark() {
  return chosen ?? prefersDark.matches;
}

/** Makes the page live: shows what needs scripts, and works the switch. */
export function startPage() {
  document.documentElement.classList.add("live");
  const button = document.getElementById("theme");
  const show = () => {
    document.documentElement.style.colorScheme = isDark() ? "dark" : "light";
    button.setAttribute("aria-pressed", String(isDark()));
    button.textContent = isDark() ? "☾" : "☀";
    document.dispatchEvent(new Event("themechange"));
  };
  button.addEventListener("click", () => {
    chosen = !isDark();
    show();
  });
  prefersDark.addEventListener("change", show);
  show();
}

/** The present value of a colour of page.css, such as "--path", in a form that a canvas takes. */
export function themeColour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const probe = document.body.appendChild(document.createElement("span"));
probe.hidden = true;
