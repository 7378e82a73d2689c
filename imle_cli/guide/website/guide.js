// The search of the guide. SECTIONS and startPage stand before this in the file that pages load.

const MOST = 12;
const field = document.getElementById("search");
const list = document.getElementById("results");

/** How well a section answers: 0 unless every word is in it; words of headings count most, whole words more. */
function score(section, words) {
  const [heading, inside, page] = [section.heading, section.text, section.page].map((text) => text.toLowerCase());
  const phrase = words.join(" ");
  // Those who look for a name find it by its heading; for all else the pages that explain come first.
  let sum = section.address.startsWith("names.") ? 0 : 12;
  sum += heading.includes(phrase) || inside.includes(phrase) ? 15 : 0;
  for (const word of words) {
    if (heading.includes(word)) {
      sum += heading.split(/\W+/).includes(word) ? 30 : 20;
    } else if (page.includes(word)) {
      sum += 8;
    } else if (inside.includes(word)) {
      sum += Math.min(6, inside.split(word).length - 1);
    } else {
      return 0;
    }
  }
  return sum;
}

/** Adds text to an element, with the words marked. */
function addMarked(element, text, words) {
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[^\w]/g, "\\$&")).join("|")})`, "gi");
  text.split(pattern).forEach((piece, number) => {
    element.append(number % 2 ? Object.assign(document.createElement("mark"), { textContent: piece }) : piece);
  });
}

/** Text around the first of the words. */
function excerpt(text, words) {
  const at = Math.max(0, ...words.map((word) => text.toLowerCase().indexOf(word)).filter((number) => number >= 0).slice(0, 1));
  const begin = Math.max(0, at - 50);
  return (begin ? "… " : "") + text.slice(begin, begin + 150);
}

function result(section, words) {
  const link = Object.assign(document.createElement("a"), { href: section.address });
  addMarked(link, section.heading === section.page ? section.page : `${section.page}: ${section.heading}`, words);
  const small = document.createElement("small");
  addMarked(small, excerpt(section.text, words), words);
  link.append(small);
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.hidden = !words.length;
  const rated = SECTIONS.map((section) => [score(section, words), section]).filter(([points]) => points);
  rated.sort((first, second) => second[0] - first[0]); // stable: equals stay in the order of the guide
  const items = rated.slice(0, MOST).map(([, section]) => result(section, words));
  list.replaceChildren(...(items.length ? items : [Object.assign(document.createElement("p"), { textContent: "Nothing found." })]));
}

/** Moves the focus among field and results. */
function move(step) {
  const stops = [field, ...list.querySelectorAll("a")];
  const next = stops.indexOf(document.activeElement) + step;
  stops[Math.min(Math.max(next, 0), stops.length - 1)].focus();
}

field.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  const searching = document.activeElement === field || list.contains(document.activeElement);
  if (event.key === "/" && !searching) {
    event.preventDefault();
    field.focus();
  } else if (searching && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && document.activeElement === field) {
    list.querySelector("a")?.click();
  } else if (event.key === "Escape") {
    list.hidden = true;
  }
});
document.addEventListener("click", (event) => {
  list.hidden = list.hidden || !event.target.closest("search");
});
startPage();
