import { createRoot } from "react-dom/client";
import { loadEvidence } from "./evidence";
import { Page } from "./Page";
import "./style.css";

const server = (import.meta.env.VITE_EVIDENCE_SERVER ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
const condition = new URLSearchParams(location.search).get("condition") ?? "fibromyalgia";

const root = createRoot(document.getElementById("page")!);
root.render(<p role="status">Loading …</p>);
try {
  root.render(<Page evidence={await loadEvidence(server, condition)} server={server} />);
} catch (error) {
  root.render(<p role="alert">The evidence could not be loaded. {error instanceof Error ? error.message : ""}</p>);
}
