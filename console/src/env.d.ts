// What the bundler provides.
/// <reference types="vite/client" />
