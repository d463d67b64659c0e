// Waiting for work that one request does for others.

/**
 * Waits for a promise that may belong to another request, which may be cancelled, and then it never settles.
 * True if it did within that time.
 */
export async function settles(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const settled = () => true as const;
  try {
    return await Promise.race([promise.then(settled, settled), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
