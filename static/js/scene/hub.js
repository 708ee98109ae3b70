// Saving a drawing. An answer is the drawing as the hub has it; a refusal is an error below.
import { csrfToken } from "../csrf.js";

const PATIENCE_MS = 15000;

// Somebody else saved meanwhile (409); `drawing` is theirs.
export class Changed extends Error {
  constructor({ detail, drawing }) {
    super(detail);
    this.drawing = drawing;
  }
}

// The hub will not take it (4xx); `errors` has sentences by dotted field.
export class Refused extends Error {
  constructor(detail, errors = {}) {
    super(detail);
    this.errors = errors;
  }
}

export async function save(url, drawing) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(drawing),
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: "manual",
    });
  } catch {
    throw new Error("The hub does not answer. Your drawing is still here; try again in a moment.");
  }
  if (response.type === "opaqueredirect") {
    throw new Error("You are logged out. Log in in another tab, then save here again.");
  }
  if (response.ok) return response.json();
  if (response.status >= 500) throw new Error("The hub had a problem; nothing was saved. Try again in a moment.");
  const isProblem = response.headers.get("Content-Type")?.includes("json");
  const problem = isProblem ? await response.json() : {};
  if (response.status === 409) throw new Changed(problem);
  throw new Refused(problem.detail || "You may not change this camera (any more).", problem.errors);
}

// Ask what a draft would have told; returns where the answer will be.
export async function ask(url, scene) {
  const answer = await asked(url, {
    method: "POST", body: JSON.stringify(scene),
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
  });
  return answer.url;
}

// How far that is.
export function follow(url) {
  return asked(url, { headers: { Accept: "application/json" } });
}

async function asked(url, request) {
  let response;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE_MS), redirect: "manual" });
  } catch {
    throw new Error("The hub does not answer.");
  }
  if (response.ok) return response.json();
  const isProblem = response.headers.get("Content-Type")?.includes("json");
  throw new Error((isProblem && (await response.json()).detail) || "The hub could not look.");
}
