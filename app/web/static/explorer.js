// Draws the OpenAPI document on /docs with Swagger UI.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reader",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  defaultModelsExpandDepth: 0,
  // The default names a validator on another host.
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
