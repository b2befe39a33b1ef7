"""Reference lists and formats, asked for over HTTP."""



