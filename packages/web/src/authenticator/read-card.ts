/**
 * Reading a card and its picture, as a file of its own: the first screen is there before it.
 * @module
 */
export { readCard, readPicture } from '@countersign/client';
