"""Programs that measure previewbot; their numbers belong to the machine they ran on."""
