// Pictures of images of maps, with paths as lines: several pixels a tile.

import { themeColour } from "./theme.js";
import { TileMap, tilesInOrder } from "./tiles.js";

export class ImagePicture {
  /**
   * @param parent element that the picture is put into
   * @param shape rows and columns of tiles
   * @param pixels red, green and blue of each pixel, row by row
   * @param label what the picture shows, for those who do not see it
   */
  constructor(parent, [height, width], pixels, label) {
    Object.assign(this, { goal: height * width - 1, width, words: null, onPoint: null, redraw: () => {} });
    this.map = new TileMap(parent, height, width, label);
    this.map.words = (row, column) => this.words?.(row * width + column);
    this.map.onPoint = (entry) => this.onPoint?.(entry);
    this.map.ground = imageOf(pixels, Math.sqrt(pixels.length / 3 / (height * width)) * width);
    document.addEventListener("themechange", () => this.redraw());
  }

  point(tile) {
    this.map.point(tile);
  }

  /** Shows paths from the first tile to the last, as TilePicture.showLayers takes them. */
  showLayers(layers) {
    this.redraw = () => {
      const lines = layers.map(({ mask, colour, dashed }) => {
        return { tiles: tilesInOrder(mask, 0, this.goal, this.width), colour: themeColour(colour), dashed };
      });
      Object.assign(this.map, { lines, ends: { start: 0, goal: this.goal, colour: themeColour("--path") } });
      this.map.draw();
    };
    this.redraw();
  }
}

function imageOf(pixels, width) {
  const image = new ImageData(width, pixels.length / 3 / width);
  for (let i = 0; i < pixels.length / 3; i++) image.data.set([pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2], 255], 4 * i);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
