// What every page has.
import "./theme.js";
import "./menu.js";
import "./toasts.js";
import "./ago.js";
import "./copy.js";
import "./live-socket.js";
