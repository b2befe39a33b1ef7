interface ImportMetaEnv {
  /** The address of the server, with its path where it is served below one. */
  readonly VITE_EVIDENCE_SERVER?: string;
}
