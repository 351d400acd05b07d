"use strict";

// The server takes an unsafe method from a browser session only with this header: a page of
// another origin cannot read the cookie.
function csrfToken() {
  const found = document.cookie.split("; ").find((each) => each.startsWith("ctxfy_csrf="));
  return found === undefined ? null : found.slice("ctxfy_csrf=".length);
}

function complete(request) {
  const safe = ["GET", "HEAD", "OPTIONS"].includes((request.method || "GET").toUpperCase());
  const token = safe ? null : csrfToken();
  if (token !== null) {
    request.headers["X-CSRF-Token"] = token;
  }
  // MCP answers nobody who does not take both.
  if (/\/mcp\/?$/.test(new URL(request.url, document.baseURI).pathname)) {
    request.headers.Accept = "application/json, text/event-stream";
  }
  return request;
}

// Swagger UI would show each request as a curl command, with the key in it.
const withoutCurl = { components: { curl: () => null } };

if (matchMedia("(prefers-color-scheme: dark)").matches) {
  document.documentElement.classList.add("dark-mode");
}

SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#explorer",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  plugins: [withoutCurl],
  requestInterceptor: complete,
  validatorUrl: null,
});
