/** The proof that a recording ended so and not otherwise (FORMAT.md §8, Receipts): the file, and the line for a QR code. */
export interface Receipt {
  readonly visit: string;
  readonly whole: string;
  readonly short: string;
}
