import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals a key that its maker chose to keep, so that only a holder of the secrets file can read it.
 * AES-256-GCM, bound to the key's id: a copy moved to another row does not open.
 *
 * @see NIST SP 800-38D
 */
export function sealCopy(text: string, kid: string, secret: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(kid));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Opens what {@link sealCopy} sealed. @throws When it was changed, or is not of this key. */
export function openCopy(sealed: Buffer, kid: string, secret: Buffer): string {
  const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(0, nonceBytes))
    .setAAD(Buffer.from(kid))
    .setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  const text = decipher.update(sealed.subarray(nonceBytes + tagBytes));
  return Buffer.concat([text, decipher.final()]).toString("utf8");
}
