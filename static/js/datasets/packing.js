// Files as one zip archive, stored as they are: a set lies in many files, and travels as one.
const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50;
const VERSION = 20, UTF8 = 0x0800;
const EPOCH = 0x0021; // 1 January 1980: when files were written is nobody's business

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

// files: [{ path, file }]. Their bytes are read once, for their checksums, and never all at a time.
export async function packed(files, { signal, onFile }) {
  const parts = [], directory = [];
  let offset = 0;
  for (const [index, { path, file }] of files.entries()) {
    signal.throwIfAborted();
    const name = new TextEncoder().encode(path);
    const told = [UTF8, 0, 0, EPOCH];
    const sizes = [await checksum(file, signal), file.size, file.size];
    const local = record(LOCAL, [VERSION, ...told], sizes, [name.length, 0]);
    parts.push(local, name, file);
    const central = record(CENTRAL, [VERSION, VERSION, ...told], sizes, [name.length, 0, 0, 0, 0], [0, offset]);
    directory.push(central, name);
    offset += local.length + name.length + file.size;
    onFile(index + 1);
  }
  const n = files.length;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = record(END, [0, 0, n, n], [size, offset], [0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// A signature, then numbers of two and of four bytes by turns, little-endian.
function record(signature, ...groups) {
  const bytes = [...four(signature)];
  groups.forEach((numbers, index) => {
    for (const number of numbers) bytes.push(...(index % 2 ? four(number) : four(number).slice(0, 2)));
  });
  return Uint8Array.from(bytes);
}

function four(number) {
  return [number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24];
}

async function checksum(file, signal) {
  let crc = ~0;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ~crc >>> 0;
    signal.throwIfAborted();
    for (const byte of value) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  }
}
