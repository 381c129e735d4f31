import { ApiFault, HostAwayFault, parseErrorBody } from './fault.ts';

/**
 * POSTs a form and reports how far it got. XMLHttpRequest, because `fetch` does not report progress
 * of what it sends. Returns the answer's text. Throws ApiFault, HostAwayFault.
 */
export function postForm(
  url: string,
  form: FormData,
  onProgress: (sentBytes: number, totalBytes: number) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.responseText);
      else reject(new ApiFault(request.status, parseErrorBody(request.status, request.responseText)));
    };
    request.onerror = () => reject(new HostAwayFault(null));
    request.onabort = () => reject(new HostAwayFault(null));
    request.send(form);
  });
}
