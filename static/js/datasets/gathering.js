// From what a person chose or dropped to what is sent: archives as they are, the rest as one set.
import { plural } from "../review/words.js";
import { packed } from "./packing.js";

const ARCHIVE = /\.zip$/i, PICTURE = /\.(jpe?g|png)$/i;
const OF_A_SET = /\.(jpe?g|png|json|txt|xml|ya?ml|names)$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;

// chosen: [{ path, file }]. Returns the parcels, and how many files are of no use.
export function parcels(chosen) {
  const useful = chosen.filter(({ path }) => !HIDDEN.test(path));
  const archives = useful.filter(({ path }) => ARCHIVE.test(path));
  const set = useful.filter(({ path }) => OF_A_SET.test(path));
  const found = archives.map(({ file }) => asItIs(file));
  if (set.length === 1 && PICTURE.test(set[0].path)) found.push(asItIs(set[0].file));
  else if (set.length) found.push(together(set));
  return { found, nUseless: useful.length - archives.length - set.length };
}

export function ofInput(files) {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

export async function ofDrop(transfer) {
  // The entries must be asked for before anything is awaited.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return ofInput(transfer.files);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = entry.createReader(), inside = [];
  for (;;) { // it tells a hundred at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(filesIn))).flat();
}

function asItIs(file) {
  return { name: file.name, size: file.size, content: async () => file };
}

function together(files) {
  const folders = new Set(files.map(({ path }) => path.split("/")[0]));
  const isOneFolder = folders.size === 1 && files.every(({ path }) => path.includes("/"));
  return {
    name: isOneFolder ? `${[...folders][0]}.zip` : `${plural(files.length, "file")}.zip`,
    size: files.reduce((sum, { file }) => sum + file.size, 0),
    content: (options) => packed(files, options),
    nFiles: files.length,
  };
}
