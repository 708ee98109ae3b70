// Annotorious asks `process.env.NODE_ENV`, which only bundlers answer. Import this before it.
globalThis.process ??= { env: { NODE_ENV: "production" } };
