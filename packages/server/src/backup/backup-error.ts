/** Why a backup could not be written, read or restored. */
export type BackupErrorCode =
  | "damaged"
  | "exists"
  | "in_use"
  | "newer_version"
  | "not_a_backup"
  | "not_empty"
  | "passphrase_too_short"
  | "truncated"
  | "unknown_key"
  | "wrong_passphrase";

/** A backup that cannot be used, or a place that cannot take it; the message is for people. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
