// What the hub sends of a camera that is looked at: u32 length, header (JSON), then the rest.
// The twin of processing/wire/browser.py and processing/wire/packed.py.
const DETECTION = 16, UNIT = 65535;

// A live picture: its detections, then a JPEG.
export function parsePicture(buffer) {
  const { header, at } = parseHead(buffer);
  const detections = parseDetections(buffer, at, header.n_detections);
  const jpeg = new Blob([new Uint8Array(buffer, at + DETECTION * header.n_detections)], { type: "image/jpeg" });
  return { header, detections, jpeg };
}

// Live video: a fragment, or what was found in a picture of it.
export function parseVideo(buffer) {
  const { header, at } = parseHead(buffer);
  if (header.type === "boxes") {
    return { header, detections: parseDetections(buffer, at, header.n_detections) };
  }
  const init = header.n_init ? new Uint8Array(buffer, at, header.n_init) : null;
  return { header, init, fragment: new Uint8Array(buffer, at + header.n_init) };
}

function parseHead(buffer) {
  const at = 4 + new DataView(buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, at - 4))), at };
}

function parseDetections(buffer, begin, n) {
  const view = new DataView(buffer);
  const detections = [];
  for (let at = begin; at < begin + DETECTION * n; at += DETECTION) {
    detections.push({
      x0: view.getUint16(at, true) / UNIT,
      y0: view.getUint16(at + 2, true) / UNIT,
      x1: view.getUint16(at + 4, true) / UNIT,
      y1: view.getUint16(at + 6, true) / UNIT,
      score: view.getUint16(at + 8, true) / UNIT,
      label: view.getUint16(at + 10, true),
      track: view.getUint32(at + 12, true),
    });
  }
  return detections;
}
