// A live picture as the hub sends it: u32 length, header (JSON), 16 bytes a detection, JPEG.
// The twin of processing/wire/browser.py and processing/wire/packed.py.
const DETECTION = 16, UNIT = 65535;

export function parsePicture(buffer) {
  const view = new DataView(buffer);
  const headerEnd = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerEnd - 4)));
  const jpegStart = headerEnd + DETECTION * header.n_detections;
  const detections = [];
  for (let at = headerEnd; at < jpegStart; at += DETECTION) {
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
  const jpeg = new Blob([new Uint8Array(buffer, jpegStart)], { type: "image/jpeg" });
  return { header, detections, jpeg };
}
