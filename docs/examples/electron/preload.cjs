const { contextBridge, ipcRenderer } = require('electron');

contextBridge.exposeInMainWorld('permafrost', {
  classify: (image) => ipcRenderer.invoke('classify', image),
});
