// Sliders over a list of values, so that scales may be logarithmic and have a zero, and every value is a round number.

/**
 * Puts a slider with its name and its present value into an element.
 *
 * @param parent the element
 * @param label what it sets
 * @param values from left to right
 * @param start value at first: the nearest of them
 * @param words a value as text
 * @param onInput called with each new value
 * @param help a sentence below it
 * @returns the slider: `value`, and `set(value)`, which calls nobody
 */
export function addSlider(parent, { label, values, start, words = String, onInput, help = "" }) {
  const box = parent.appendChild(document.createElement("label"));
  box.className = "slider";
  box.appendChild(document.createElement("span")).textContent = label;
  const shown = box.appendChild(document.createElement("output"));
  const input = box.appendChild(document.createElement("input"));
  Object.assign(input, { type: "range", min: 0, max: values.length - 1, step: 1 });
  input.setAttribute("aria-label", label);
  if (help) Object.assign(box.appendChild(document.createElement("span")), { className: "soft small", textContent: help });

  const slider = {
    input,
    value: start,
    set(value) {
      const at = nearest(values, value);
      this.value = values[at];
      input.value = at;
      shown.textContent = words(this.value);
      input.setAttribute("aria-valuetext", words(this.value));
    },
  };
  slider.set(start);
  input.addEventListener("input", () => {
    slider.set(values[Number(input.value)]);
    onInput?.(slider.value);
  });
  return slider;
}

function nearest(values, wanted) {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = i;
  });
  return best;
}
