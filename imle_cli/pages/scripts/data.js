// Data of the page: values of JSON, with arrays packed by packing.py.

/** The page's data, arrays unpacked: each is a typed array with a `shape`; bools are 0 and 1. */
export async function readData() {
  return unpacked(JSON.parse(document.getElementById("data").textContent));
}

const TYPES = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

async function unpacked(value) {
  if (value === null || typeof value !== "object") return value;
  if ("packed" in value) return unpackedArray(value);
  if (Array.isArray(value)) return Promise.all(value.map(unpacked));
  const entries = Object.entries(value).map(async ([name, inner]) => [name, await unpacked(inner)]);
  return Object.fromEntries(await Promise.all(entries));
}

async function unpackedArray({ packed, shape, deltas, text }) {
  const bytes = await inflated(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  const count = shape.reduce((product, length) => product * length, 1);
  const values = packed === "bool" ? unpackedBits(bytes, count) : withBytesTogether(bytes, count, TYPES[packed]);
  if (deltas) addUp(values, count / shape[0]);
  return Object.assign(values, { shape });
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unpackedBits(bytes, count) {
  return Uint8Array.from({ length: count }, (_, i) => (bytes[i >> 3] >> (i & 7)) & 1);
}

/** Numbers whose first bytes come first of all, then all second ones, from the least significant on. */
function withBytesTogether(bytes, count, Type) {
  const size = Type.BYTES_PER_ELEMENT;
  const numbers = new Uint8Array(count * size);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < count; i++) numbers[i * size + plane] = bytes[plane * count + i];
  }
  return new Type(numbers.buffer);
}

/** Adds to every row of so many numbers the row before it; typed arrays of whole numbers wrap around. */
function addUp(values, width) {
  for (let i = width; i < values.length; i++) values[i] += values[i - width];
}
