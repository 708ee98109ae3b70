// What a labeler found of each prediction: told apart from the boxes, for what teaches a model is
// not only what is there, but how it was wrong. It follows from the boxes until somebody says it.
import { iou } from "./boxes.js";

const RIGHT_BOX_IOU = 0.75; // from here on a prediction's box was right, as the hub sees it too

// In the order of the list and of the key that goes through them.
export const FINDINGS = {
  right: "right",
  wrong_class: "wrong class",
  wrong_box: "wrong box",
  false: "not there",
};
export const MISSED = "missed";

// The finding of a prediction: as somebody said, else as the boxes say.
export function findingOf(index, { boxes, findings }, predictions) {
  if (index in findings) return findings[index];
  const box = boxes.find(({ prediction }) => prediction === index), seen = predictions[index];
  if (!box) return "false";
  if (box.label !== seen.label) return "wrong_class";
  return iou(box.xyxy, seen.xyxy) >= RIGHT_BOX_IOU ? "right" : "wrong_box";
}

export function findingAfter(finding) {
  const all = Object.keys(FINDINGS);
  return all[(all.indexOf(finding) + 1) % all.length];
}
