// What the main process of an Electron app answers its pages with: images stay on the machine.
import { openClassifier } from 'permafrost';

/** Answers `classify`, called with bytes of an image file or with a canvas' ImageData; gives what frees the network. */
export async function answerPages(ipcMain, source) {
  const classifier = await openClassifier(source);
  ipcMain.handle('classify', async (_event, image) => {
    const { data, width, height } = image;
    const input = data === undefined ? new Uint8Array(image) : { data, width, height, channels: 4 };
    // One image in a list: a bad one is a Failure, which goes through to the page; an error would lose its code.
    const [answer] = await classifier.predict([input], { neighbors: 3 });
    return answer;
  });
  return () => classifier.close();
}
