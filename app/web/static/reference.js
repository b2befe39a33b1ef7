// Draws the OpenAPI document on /reference with Scalar. Everything that would call, or lead to, Scalar's own services is off.
Scalar.createApiReference("#reader", {
  url: new URL("openapi.json", document.baseURI).href,
  theme: "default",
  withDefaultFonts: false,
  telemetry: false,
  proxyUrl: "",
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  defaultOpenAllTags: true,
  metaData: { title: document.title },
});
