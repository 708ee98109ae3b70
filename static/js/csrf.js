// What a request that changes something must show. A login in another tab changes it, so it is
// looked up anew each time.
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}
