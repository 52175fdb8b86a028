// Preloaded into emulators that would listen on every address of the host: what they listen on is loopback.
const { Server } = require("node:net");

const { listen } = Server.prototype;

Server.prototype.listen = function listenOnLoopback(first, ...rest) {
  if (typeof first === "object" && first !== null && "port" in first) {
    return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  }
  if (typeof first === "number" || typeof first === "string") {
    const callbacks = rest.filter((argument) => typeof argument === "function");
    return listen.call(this, { port: Number(first), host: "127.0.0.1" }, ...callbacks);
  }
  return listen.call(this, first, ...rest);
};
