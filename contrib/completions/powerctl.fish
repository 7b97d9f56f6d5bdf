# SPDX-License-Identifier: Apache-2.0
# fish completion for powerctl: asks `powerctl complete`, which has the words. It belongs into a folder such
# as /usr/share/fish/vendor_completions.d or ~/.config/fish/completions.
function __powerctl_words
    set -l before (commandline -opc)
    set -l word (string unescape -- (commandline -ct); or commandline -ct)
    for line in ($before[1] complete $before[2..] "$word" 2>/dev/null)
        set -l parts (string split \t -- $line)
        set -l rest (string sub -s (math (string length -- "$parts[2]") + 1) -- "$word")
        switch $parts[1]
            case :files
                for path in (__fish_complete_path "$rest")
                    echo "$parts[2]$path"
                end
            case :folders
                for path in (__fish_complete_directories "$rest" '')
                    echo "$parts[2]$path"
                end
            case '*'
                echo $line
        end
    end
end
complete -c powerctl -f -a '(__powerctl_words)'
