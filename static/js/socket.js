// A websocket that comes back: backoff with jitter, closed while the page is hidden, and a word
// of thanks ("ok") for each message once it is handled, without which the hub sends no more.
const FIRST_MS = 500, LONGEST_MS = 15000;
const LOGGED_OUT = 4401, NOT_YOURS = 4404;

export class Socket {
  #path; #handlers; #socket = null; #delay = FIRST_MS; #timer = 0; #wanted = false;

  // handlers: message(data) may return a promise; state("live" | "connecting" | "paused" | "gone").
  constructor(path, handlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  open() {
    this.#wanted = true;
    document.addEventListener("visibilitychange", this.#onVisibility);
    if (!document.hidden) this.#connect();
    return this;
  }

  close() {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#drop();
  }

  #onVisibility = () => {
    if (document.hidden) {
      this.#drop();
      this.#handlers.state?.("paused");
    } else {
      this.#delay = FIRST_MS;
      this.#connect();
    }
  };

  #connect() {
    if (this.#socket || !this.#wanted) return;
    clearTimeout(this.#timer);
    this.#handlers.state?.("connecting");
    const socket = new WebSocket(new URL(this.#path, location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#delay = FIRST_MS;
      this.#handlers.state?.("live");
    };
    socket.onmessage = async (event) => {
      try {
        await this.#handlers.message(event.data);
      } finally {
        if (socket.readyState === WebSocket.OPEN) socket.send("ok");
      }
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#onClose(event.code);
    };
    this.#socket = socket;
  }

  #onClose(code) {
    this.#socket = null;
    if (code === LOGGED_OUT) return reloadOnce();
    if (code === NOT_YOURS) return this.#handlers.state?.("gone");
    if (!this.#wanted || document.hidden) return;
    this.#handlers.state?.("connecting");
    this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.5 + Math.random() / 2));
    this.#delay = Math.min(this.#delay * 2, LONGEST_MS);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    // Closing one that only begins to connect is a complaint in the console.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket?.close();
  }
}

// The server sends whoever is not logged in to the login page; twice in a row would be a loop.
function reloadOnce() {
  const last = Number(sessionStorage.getItem("farwatch.reloaded") ?? 0);
  if (Date.now() - last < 30000) return;
  sessionStorage.setItem("farwatch.reloaded", String(Date.now()));
  location.reload();
}
