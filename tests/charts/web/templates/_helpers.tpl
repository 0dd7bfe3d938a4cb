{{- define "web.fault" -}}
{{- with . }}
helmwake.test/fault: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "web.runs" -}}
{{- with .runFor }}
helmwake.test/run-for: {{ . | quote }}
{{- end }}
{{- end }}
