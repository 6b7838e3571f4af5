/**
 * Decisions of a download and of a seed, pure: which piece next ({@link PiecePicker}), how many
 * requests ({@link RequestWindow}), whom to serve ({@link TitForTat}).
 *
 * @module
 */

export { type ChokeCandidate, RECHOKE_INTERVAL, TitForTat } from './choker.ts';
export { PartialPiece } from './partial-piece.ts';
export { type BlockChoice, type PickerOptions, type PickFor, PiecePicker } from './picker.ts';
export { RequestWindow } from './request-window.ts';
